-- +goose Up

-- Which billing accounts a bill is of, so that the same bill under two connections is found without looking at all of them.
create table bill_accounts (
  tenant_id uuid not null,
  bill_id   bigint not null references bills (id) on delete cascade,
  account   text not null,
  primary key (bill_id, account)
);
create index on bill_accounts (tenant_id, account);
call protect('bill_accounts');

alter table cost_daily no force row level security;
alter table dictionary no force row level security;
alter table bill_accounts no force row level security;
insert into bill_accounts (tenant_id, bill_id, account)
  select distinct d.tenant_id, d.bill_id, a.value ->> 0
  from cost_daily d join dictionary a on a.tenant_id = d.tenant_id and a.id = d.billing_account_id
  where a.value ->> 0 <> '';
alter table cost_daily force row level security;
alter table dictionary force row level security;
alter table bill_accounts force row level security;

-- +goose Down
drop table bill_accounts;

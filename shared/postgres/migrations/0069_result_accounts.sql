-- +goose Up

-- Results and anomalies by account and region, too. Null where the scope does not fix them.
alter table analysis_results add column account text, add column region text;
alter table anomalies add column account text, add column region text;
alter table analysis_results no force row level security;
alter table anomalies no force row level security;
update analysis_results set account = document -> 'scope' ->> 'SubAccountId', region = document -> 'scope' ->> 'RegionId'
  where document -> 'scope' ?| array['SubAccountId', 'RegionId'];
update anomalies set account = document -> 'scope' ->> 'SubAccountId', region = document -> 'scope' ->> 'RegionId'
  where document -> 'scope' ?| array['SubAccountId', 'RegionId'];
alter table analysis_results force row level security;
alter table anomalies force row level security;

-- +goose Down
alter table analysis_results no force row level security;
delete from analysis_results where level in ('account', 'region');
alter table analysis_results force row level security;
alter table anomalies drop column account, drop column region;
alter table analysis_results drop column account, drop column region;

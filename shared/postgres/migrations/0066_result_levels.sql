-- +goose Up

-- Results down to the leaves of the bill. The document of a forecast is as the models made it; moves is by how much each of its
-- days moves for the parts to sum to the whole. content names all that a result follows from, so that what has not changed is
-- neither made nor written again.
alter table analysis_results
  add column level   text not null default '', -- total, provider, service or leaf
  add column rest    boolean not null default false, -- of what the scope holds beside the parts that stand by themselves
  add column content text not null default '',
  add column moves   double precision[];
alter table analysis_results no force row level security;
update analysis_results set level = case when service is not null then 'service' when provider is not null then 'provider' else 'total' end;
alter table analysis_results force row level security;
alter table analysis_results drop constraint analysis_results_pkey;
alter table analysis_results add primary key (tenant_id, kind, analysis, basis, level, scope, rest, currency);

-- +goose Down
alter table analysis_results no force row level security;
delete from analysis_results where level = 'leaf' or rest;
delete from analysis_results r using analysis_results o
  where (r.tenant_id, r.kind, r.analysis, r.basis, r.scope, r.currency) = (o.tenant_id, o.kind, o.analysis, o.basis, o.scope, o.currency) and r.position > o.position;
alter table analysis_results force row level security;
alter table analysis_results drop constraint analysis_results_pkey;
alter table analysis_results add primary key (tenant_id, kind, analysis, basis, scope, currency);
alter table analysis_results drop column moves, drop column content, drop column rest, drop column level;

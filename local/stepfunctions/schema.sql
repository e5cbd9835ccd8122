-- Executions of state machines on this machine. Each transition of an execution is one transaction over the three tables.
create schema if not exists stepfunctions;

create table if not exists stepfunctions.executions (
	arn     text primary key,
	machine text not null,
	status  text not null,
	started timestamptz not null,
	body    json not null -- json, not jsonb: it keeps every string, also one with a null character
);
create index if not exists executions_latest on stepfunctions.executions (machine, started desc, arn desc);
create index if not exists executions_running on stepfunctions.executions (started) where status = 'RUNNING';

-- The position: one row a frame, gone when the execution ends.
create table if not exists stepfunctions.frames (
	execution text not null references stepfunctions.executions on delete cascade,
	path      text not null,
	body      json not null,
	primary key (execution, path)
);

create table if not exists stepfunctions.events (
	execution text not null references stepfunctions.executions on delete cascade,
	id        bigint not null,
	body      json not null,
	primary key (execution, id)
);

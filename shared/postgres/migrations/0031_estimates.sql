-- +goose Up

-- What the recommendation promised before calibration, frozen with the plan; older executions were never calibrated.
alter table executions add column uncalibrated jsonb;

-- +goose Down
alter table executions drop column uncalibrated;

-- @invoice_month STRING
-- @partitions_from TIMESTAMP
-- @partitions_to TIMESTAMP
-- @services ARRAY<STRING>
-- @projects ARRAY<STRING>
-- One row of the export is one charge. Amounts are floating point there; NUMERIC is what Google's own queries turn them into,
-- exact to nine decimals. Credits stay an array: joining them would repeat the cost once for each.
SELECT
  billing_account_id,
  invoice.month AS invoice_month,
  cost_type,
  service.id AS service_id,
  service.description AS service_name,
  sku.id AS sku_id,
  sku.description AS sku_name,
  UNIX_MICROS(usage_start_time) AS usage_start,
  UNIX_MICROS(usage_end_time) AS usage_end,
  project.id AS project_id,
  project.number AS project_number,
  project.name AS project_name,
  TO_JSON_STRING(project.labels) AS project_labels,
  TO_JSON_STRING(labels) AS labels,
  TO_JSON_STRING(system_labels) AS system_labels,
  TO_JSON_STRING(ARRAY(SELECT AS STRUCT t.key, t.value, t.inherited FROM UNNEST(tags) AS t)) AS tags,
  location.location AS location,
  location.region AS region,
  location.zone AS zone,
  CAST(cost AS NUMERIC) AS cost,
  CAST(cost_at_list AS NUMERIC) AS cost_at_list,
  currency,
  SAFE_CAST(currency_conversion_rate AS NUMERIC) AS currency_conversion_rate,
  SAFE_CAST(usage.amount AS NUMERIC) AS usage_amount,
  usage.unit AS usage_unit,
  SAFE_CAST(usage.amount_in_pricing_units AS NUMERIC) AS pricing_amount,
  usage.pricing_unit AS pricing_unit,
  TO_JSON_STRING(ARRAY(
    SELECT AS STRUCT c.id, c.full_name, c.type, CAST(CAST(c.amount AS NUMERIC) AS STRING) AS amount FROM UNNEST(credits) AS c
  )) AS credits,
  adjustment_info.id AS adjustment_id,
  adjustment_info.type AS adjustment_type,
  seller_name,
  subscription.instance_id AS subscription_id
FROM `billing-prod.billing.gcp_billing_export_v1_1`
WHERE invoice.month = @invoice_month
  AND _PARTITIONTIME >= @partitions_from
  AND _PARTITIONTIME < @partitions_to
  AND service.description IN UNNEST(@services)
  AND project.id IN UNNEST(@projects)

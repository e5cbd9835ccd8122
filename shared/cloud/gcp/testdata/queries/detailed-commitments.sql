-- @period_from TIMESTAMP
-- @period_to TIMESTAMP
-- @partitions_from TIMESTAMP
-- @partitions_to TIMESTAMP
-- The fees of committed use discounts, and what they paid for. Since 2025 what was used of a fee for money is a credit on the
-- fee itself. What a fee for resources paid for are the charges whose cost a credit takes away, by the share that it takes: in
-- the units of the fee, which are seconds of a core, or bytes of memory times seconds.
WITH charges AS (
  SELECT
    subscription.instance_id AS subscription_id,
    sku.description AS sku_name,
    service.description AS service_name,
    location.region AS region,
    usage.unit AS unit,
    currency,
    usage_start_time,
    usage_end_time,
    CAST(cost AS NUMERIC) AS charged,
    CAST(usage.amount AS NUMERIC) AS used,
    (SELECT SUM(CAST(c.amount AS NUMERIC)) FROM UNNEST(credits) AS c WHERE c.type = 'FEE_UTILIZATION_OFFSET') AS fee_credit,
    (SELECT SUM(CAST(c.amount AS NUMERIC)) FROM UNNEST(credits) AS c WHERE c.type = 'COMMITTED_USAGE_DISCOUNT') AS usage_credit
  FROM `billing-prod.billing.gcp_billing_export_resource_v1_1`
  WHERE cost_type = 'regular'
    AND usage_start_time >= @period_from
    AND usage_start_time < @period_to
    AND _PARTITIONTIME >= @partitions_from
    AND _PARTITIONTIME < @partitions_to
)
SELECT
  subscription_id,
  sku_name,
  service_name,
  region,
  unit,
  currency,
  UNIX_MICROS(MIN(usage_start_time)) AS first_start,
  UNIX_MICROS(MAX(usage_end_time)) AS last_end,
  SUM(charged) AS cost,
  SUM(used) AS amount,
  SUM(fee_credit) AS offset_credit,
  SUM(used * SAFE_DIVIDE(-usage_credit, charged)) AS covered_amount
FROM charges
GROUP BY subscription_id, sku_name, service_name, region, unit, currency
HAVING offset_credit IS NOT NULL OR covered_amount IS NOT NULL OR STARTS_WITH(sku_name, 'Commitment v1:')
ORDER BY subscription_id, sku_name, service_name, region, unit, currency

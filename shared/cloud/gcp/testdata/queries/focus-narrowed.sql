-- @month_start TIMESTAMP
-- @month_end TIMESTAMP
-- @services ARRAY<STRING>
-- @projects ARRAY<STRING>
-- Google's own FOCUS export, column by column: it may gain columns at any time. Billing periods begin at midnight in
-- California there.
SELECT
  UNIX_MICROS(BillingPeriodStart) AS BillingPeriodStart,
  UNIX_MICROS(ChargePeriodStart) AS ChargePeriodStart,
  UNIX_MICROS(ChargePeriodEnd) AS ChargePeriodEnd,
  CAST(BilledCost AS NUMERIC) AS BilledCost,
  CAST(EffectiveCost AS NUMERIC) AS EffectiveCost,
  CAST(ListCost AS NUMERIC) AS ListCost,
  CAST(ContractedCost AS NUMERIC) AS ContractedCost,
  BillingCurrency,
  BillingAccountId,
  BillingAccountName,
  SubAccountId,
  SubAccountName,
  ProviderName,
  PublisherName,
  InvoiceIssuerName,
  ServiceName,
  ServiceCategory,
  RegionId,
  RegionName,
  AvailabilityZone,
  ResourceId,
  ResourceName,
  ResourceType,
  ChargeCategory,
  ChargeClass,
  ChargeDescription,
  ChargeFrequency,
  PricingCategory,
  SAFE_CAST(PricingQuantity AS NUMERIC) AS PricingQuantity,
  PricingUnit,
  SAFE_CAST(ConsumedQuantity AS NUMERIC) AS ConsumedQuantity,
  ConsumedUnit,
  SAFE_CAST(ListUnitPrice AS NUMERIC) AS ListUnitPrice,
  SAFE_CAST(ContractedUnitPrice AS NUMERIC) AS ContractedUnitPrice,
  SkuId,
  SkuPriceId,
  CommitmentDiscountCategory,
  CommitmentDiscountId,
  CommitmentDiscountName,
  CommitmentDiscountStatus,
  CommitmentDiscountType,
  TO_JSON_STRING(Tags) AS Tags
FROM `billing-prod.billing.gcp_billing_export_focus_1`
WHERE BillingPeriodStart >= @month_start
  AND BillingPeriodStart < @month_end
  AND ServiceName IN UNNEST(@services)
  AND SubAccountId IN UNNEST(@projects)

-- One decision with its plan. $3, the time part of its id in milliseconds, finds its partition.
SELECT d.outcome, d.probability, d.anomaly_score, d.features, d.record::text AS record,
       p.document::text AS plan
FROM decisions d
LEFT JOIN recorded_plans p ON p.digest = d.record -> 'plan' ->> 'digest'
WHERE d.tenant = $1
  AND d.decision_id = $2::text::uuid
  AND d.decided_at = timestamptz 'epoch' + $3::bigint * interval '1 millisecond'

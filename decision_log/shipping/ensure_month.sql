-- Make the partition of table $1 for the time $2 (milliseconds since the epoch).
SELECT ensure_month($1::text, timestamptz 'epoch' + $2::bigint * interval '1 millisecond')

-- Make the partition of table $1 that holds the moment $2 (milliseconds since the epoch).
SELECT ensure_month($1::text, timestamptz 'epoch' + $2::bigint * interval '1 millisecond')

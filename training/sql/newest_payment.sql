SELECT floor(extract(epoch FROM max(occurred_at)) * 1000)::bigint FROM transactions WHERE tenant = $1

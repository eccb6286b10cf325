-- The version that the next plan of the owner $1 and the name $2 gets.
SELECT coalesce(max(version), 0) + 1 FROM plans WHERE owner = $1 AND name = $2

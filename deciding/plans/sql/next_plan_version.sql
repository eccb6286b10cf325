-- The version that the next plan of the name $1 gets.
SELECT coalesce(max(version), 0) + 1 FROM plans WHERE name = $1

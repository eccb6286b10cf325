-- Drop every version of the plan $1.
DELETE FROM plans WHERE name = $1

-- Drop every version of the house's plan $1, and the activations that name it.
WITH forgotten AS (DELETE FROM plans WHERE owner = '' AND name = $1)
DELETE FROM activations WHERE owner = '' AND $1 IN (name, previous_name)

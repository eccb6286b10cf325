-- A customer's decisions are found by the customer's transactions, which have their own index.
DROP INDEX decisions_customer;

"""The paper venue: states of orders, stops and takes, expiry, liquidation, flows of cash."""

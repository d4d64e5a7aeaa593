"""Alert rules and the dashboard that is made from them."""

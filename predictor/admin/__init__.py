"""Django admin, one module per page or part of a page; predictor.apps loads them."""

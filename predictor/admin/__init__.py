"""Django admin, one module per thing an administrator looks at; predictor.apps loads them."""

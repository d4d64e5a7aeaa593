"""How Django admin writes dates and times where no template says."""

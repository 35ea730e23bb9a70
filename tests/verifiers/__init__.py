"""Published draws made by a slow maker of their own, and what three verifiers say of them."""

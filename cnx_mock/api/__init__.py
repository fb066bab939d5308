"""What an endpoint is: its declaration, its errors, its answers, and the document made from these."""

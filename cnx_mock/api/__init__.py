"""What an endpoint is: its declaration, its errors, its shapes. Imports `world` and `text`."""

"""What an adapter's folder says, and a zoo's: read and written without any tensor library."""

"""Who is heard before an entry is decided on."""

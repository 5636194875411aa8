"""Inventory service: items, locations, stock levels and movements."""

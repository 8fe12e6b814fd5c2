"""Settings that a connection depends on, each kind read when asked for: values of the registry with their
policies (`registry`), and lines of `.rdp` files (`rdpfile`).
"""

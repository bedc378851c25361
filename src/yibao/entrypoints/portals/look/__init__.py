"""The look that all portals share: layout, components, style, and how pages are kept safe."""

"""Pages from templates (jinja2): whatever text a template shows is escaped."""

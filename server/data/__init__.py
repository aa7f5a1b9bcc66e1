"""Data that ships with OPTIX; see PROVENANCE.md."""

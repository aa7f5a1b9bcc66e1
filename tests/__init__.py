"""The tests of OPTIX; see CONTRIBUTING.md for which folder holds what."""

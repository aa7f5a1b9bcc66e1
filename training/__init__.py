"""What is run by developers only: nothing here is installed or imported by OPTIX."""

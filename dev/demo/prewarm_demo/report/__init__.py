"""What an act leaves: tables for people, build/demo.json for programs."""

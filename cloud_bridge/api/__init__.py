"""The core's HTTP API: `fleet.py` is every act and every list of the fleet, `shells.py` what a remote
shell's terminal types and sees, `keys.py` who may ask."""

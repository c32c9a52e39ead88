"""The core's HTTP API: `fleet.py` is every act and every list of the fleet, `keys.py` who may ask."""

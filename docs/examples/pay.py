"""Ask a box for 12.50 and wait for the end. Usage: pay.py PORT TOKEN REQUEST_ID AUTH_CODE"""

import json
import sys
import time
import urllib.request

port, token, request_id, auth_code = sys.argv[1:]


def ask(path, body=None):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(
        urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    ) as answer:
        return json.load(answer)


asked = {"request_id": request_id, "order_ref": "table 7", "amount": 1250, "auth_code": auth_code}
payment = ask("/v1/payments", asked)
while payment["state"] not in ("succeeded", "failed"):  # unknown is no end: ask again, never pay again
    time.sleep(0.2)
    payment = ask(f"/v1/payments/{request_id}")
print(payment["state"], payment["tender"] or payment["reason"])

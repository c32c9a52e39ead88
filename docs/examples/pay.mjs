// Ask a box for 12.50 and follow its events to the end. Usage: node pay.mjs PORT TOKEN REQUEST_ID AUTH_CODE
const [port, token, request_id, auth_code] = process.argv.slice(2);
const events = new WebSocket(`ws://127.0.0.1:${port}/v1/events?after=0`, ["tillbox", token]);
events.onmessage = ({ data }) => {
  const { body } = JSON.parse(data);
  if (body.request_id !== request_id || !["succeeded", "failed"].includes(body.state)) return; // unknown is no end
  console.log(body.state, body.tender || body.reason);
  events.close();
};
const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
const body = JSON.stringify({ request_id, order_ref: "table 8", amount: 1250, auth_code });
await fetch(`http://127.0.0.1:${port}/v1/payments`, { method: "POST", headers, body });

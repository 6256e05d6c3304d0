internal import Documents

extension OpenAPIDocument {
  /// The bodies of the table. An amount is a decimal text; what is not named here is refused by name.
  static var schemas: JSON {
    [
      "Error": self.object(
        ["error"],
        [
          "error": self.object(
            ["message", "type", "param", "code"],
            [
              "message": self.text, "type": self.text, "param": ["type": ["string", "null"]], "code": self.text,
            ], isOpen: true)
        ]),
      "Open": ["type": "object", "additionalProperties": true],
      "Named": self.object(["name"], ["name": self.text]),
      "Customer": self.object(
        ["name"],
        [
          "name": self.text, "country": self.text, "accept_terms": self.list(self.text),
          "attestations": self.list(["type": "object"]),
        ],
        isOpen: true),
      "Key": self.object(
        ["name", "scopes"],
        ["name": self.text, "scopes": self.list(self.oneOf("inference", "usage")), "project": self.text], isOpen: true),
      "AdminKey": self.object(["name"], ["name": self.text, "role": self.oneOf("owner", "billing", "counsel", "auditor")]),
      "Credit": self.object(["amount", "currency"], ["amount": self.amount, "currency": self.text], isOpen: true),
      "Adjustment": self.object(
        ["usage", "amount", "reason"],
        ["usage": self.text, "amount": self.amount, "reason": self.text, "reference": self.text]),
      "Limit": self.object(
        ["subject", "kind"],
        [
          "subject": self.text,
          "kind": self.oneOf(
            "spend", "tokens", "requests_per_minute", "tokens_per_minute", "concurrent_requests", "active_users"),
          "amount": self.amount, "currency": self.text, "window": self.text,
        ], isOpen: true),
      "Price": self.object(
        ["model", "currency", "components"],
        [
          "model": self.text, "currency": self.text, "effective_from": self.text,
          "components": self.list(
            self.object(
              ["category"], ["category": self.text, "per_million": self.amount], isOpen: true)),
        ], isOpen: true),
      "Attestation": self.object(
        ["subject", "fact", "value", "signer"],
        [
          "subject": self.text, "fact": self.text, "value": [:],
          "signer": self.object(["name", "role"], ["name": self.text, "role": self.text], isOpen: true), "expires": self.text,
        ], isOpen: true),
      "Export": self.object(
        ["kind", "format"],
        [
          "kind": self.oneOf("audit", "usage"), "format": self.oneOf("bundle", "csv", "jsonl", "focus"), "from": self.text,
          "to": self.text,
        ], isOpen: true),
    ]
  }

  private static let text: JSON = ["type": "string"]
  private static let amount: JSON = ["type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?$"]

  private static func list(_ element: JSON) -> JSON { ["type": "array", "items": element] }

  private static func oneOf(_ values: String...) -> JSON { ["type": "string", "enum": .array(values.map(JSON.string))] }

  private static func object(_ required: [String], _ properties: JSON, isOpen: Bool = false) -> JSON {
    [
      "type": "object", "required": .array(required.map(JSON.string)), "properties": properties,
      "additionalProperties": .bool(isOpen),
    ]
  }
}

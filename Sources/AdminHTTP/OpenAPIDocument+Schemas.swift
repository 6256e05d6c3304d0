internal import Documents

extension OpenAPIDocument {
  private static var error: JSON {
    self.object(
      ["message", "type", "param", "code"],
      ["message": self.text, "type": self.text, "param": ["type": ["string", "null"]], "code": self.text], isOpen: true)
  }

  /// The bodies of the table. An amount is a decimal text; what is not named here is refused by name.
  static var schemas: JSON {
    [
      "Error": self.object(["error"], ["error": self.error]),
      "MessagesError": self.object(["type", "error"], ["type": self.oneOf("error"), "error": self.error]),
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
      "Credit": self.object(
        ["amount", "currency"],
        [
          "amount": self.amount, "currency": self.text, "priority": ["type": "integer"], "expires": self.text,
          "promotional": ["type": "boolean"],
        ]),
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
          "model": self.text, "currency": self.text, "effective_from": self.text, "customer": self.text,
          "components": self.components,
        ]),
      "PricePreview": self.object(
        ["model", "currency", "components"],
        [
          "model": self.text, "currency": self.text, "effective_from": self.text, "customer": self.text, "period": self.month,
          "components": self.components,
        ]),
      "Rerate": self.object(
        ["period", "components"],
        [
          "period": self.month, "components": self.components, "reason": self.text, "apply": ["type": "boolean"],
        ]),
      "Attestation": self.object(
        ["subject", "fact", "value", "signer"],
        [
          "subject": self.text, "fact": self.text, "value": [:],
          "signer": self.object(["name", "role"], ["name": self.text, "role": self.text], isOpen: true), "expires": self.text,
        ], isOpen: true),
      "BillingProfile": self.object(
        ["party"],
        [
          "party": self.object(
            ["name", "street", "city", "postal_code", "country"],
            [
              "name": self.text, "street": self.text, "city": self.text, "postal_code": self.text, "country": self.text,
              "vat_id": self.text, "registration": self.text, "email": self.text,
            ]),
          "tax": self.object(
            ["category", "percent"], ["category": self.text, "percent": self.amount, "reason": self.text]),
          "commitments": self.list(
            self.object(
              ["amount", "currency"],
              ["amount": self.amount, "currency": self.text, "overage_basis_points": ["type": "integer"]])),
          "budget": self.object(["amount", "currency"], ["amount": self.amount, "currency": self.text]),
        ], isOpen: true),
      "InvoiceDraft": self.object(
        ["customer", "period"],
        [
          "customer": self.text, "period": self.month, "currency": self.text,
          "adjustments": self.list(
            self.object(["reason", "amount"], ["reason": self.text, "amount": self.signedAmount])),
        ]),
      "Replay": self.object(["receiver", "id"], ["receiver": self.text, "id": self.text]),
      "InvoiceRun": self.object(
        ["period"], ["period": self.month, "after": self.text, "limit": ["type": "integer", "minimum": 1, "maximum": 1000]]),
      "CreditNote": self.object(
        ["reason"],
        [
          "reason": self.text, "whole": ["type": "boolean"], "price": self.text, "amount": self.amount,
          "lines": self.list(
            self.object(["line", "amount"], ["line": ["type": "integer"], "amount": self.signedAmount])),
        ]),
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

  private static let signedAmount: JSON = ["type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"]
  private static let month: JSON = ["type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"]

  private static let components = Self.list(
    Self.object(
      ["category"],
      [
        "category": Self.text, "per_million": Self.amount, "tier_mode": Self.oneOf("graduated", "volume"),
        "tiers": Self.list(
          Self.object(
            ["per_million"], ["up_to": ["type": "integer"], "per_million": Self.amount, "flat": Self.amount])),
        "package": Self.object(["size", "amount"], ["size": ["type": "integer"], "amount": Self.amount]),
        "free": ["type": "integer"], "maximum": Self.amount,
      ]))

  private static func list(_ element: JSON) -> JSON { ["type": "array", "items": element] }

  private static func oneOf(_ values: String...) -> JSON { ["type": "string", "enum": .array(values.map(JSON.string))] }

  private static func object(_ required: [String], _ properties: JSON, isOpen: Bool = false) -> JSON {
    [
      "type": "object", "required": .array(required.map(JSON.string)), "properties": properties,
      "additionalProperties": .bool(isOpen),
    ]
  }
}

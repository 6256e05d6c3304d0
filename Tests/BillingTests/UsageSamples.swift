import Billing
import GovernanceTypes
import Testing

func currency(_ code: String) throws -> Currency { try #require(Currency(code)) }
func instant(_ text: String) throws -> Timestamp { try #require(Timestamp(text)) }

func samplePrice(
  _ id: UInt128 = 6, currency code: String = "USD",
  _ perMillion: [UsageCategory: NanoAmount] = [
    .promptUncached: NanoAmount(200_000_000), .promptCached: NanoAmount(37_500_000), .completion: NanoAmount(600_000_001),
  ]
) throws -> Price {
  try Price(
    id: PriceID(id), model: ModelID("llama-2-7b-chat"), currency: currency(code), effectiveFrom: Timestamp(seconds: 0),
    perMillion: perMillion)
}

/// A request that was charged what the price says.
func sampleLine(
  _ tokens: TokenUsage = TokenUsage(promptUncached: TokenCount(1234), promptCached: TokenCount(100), completion: TokenCount(57)),
  price: Price, amount: NanoAmount? = nil, usage: UInt128 = 1, project: ProjectID? = ProjectID(3), key: UInt128 = 4,
  decision: DecisionID? = DecisionID(5), model: String = "llama-2-7b-chat", heldAt: String = "2026-11-30T23:59:59.999Z"
) throws -> UsageLine {
  UsageLine(
    usage: UsageID(usage), decision: decision, customer: CustomerID(2), project: project, key: KeyID(key), model: ModelID(model),
    price: price.id, currency: price.currency, amount: amount ?? price.charge(tokens), tokens: tokens, undelivered: TokenCount(8),
    finish: "stop", settlementPolicy: "delivered", usageSource: "engine_counted", heldAt: try instant(heldAt),
    settledAt: try instant("2026-12-01T00:00:03.05Z"))
}

/// A text of the characters that tables find hardest.
func hostileText(_ random: inout SplitMix64) -> String {
  let alphabet: [Unicode.Scalar] = [
    "=", "+", "-", "@", "'", "\"", ",", "\n", "\r", "\t", ";", " ", "\\", "{", "/", "a", "7", "\0", "\u{1B}", "\u{7F}", "é", "数",
    "🦙",
  ]
  var text = String.UnicodeScalarView()
  for _ in 0..<Int.random(in: 0...6, using: &random) { text.append(alphabet.randomElement(using: &random) ?? "a") }
  return String(text)
}

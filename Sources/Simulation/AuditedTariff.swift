/// What tokens of a month cost by the auditor's own arithmetic, in whole nano-units.
struct AuditedTariff: Sendable {
  /// From a number of tokens on, each costs so much, and the first one `flat` besides.
  struct Step: Sendable {
    var from: Int
    var nano: Int128
    var flat: Int128 = 0
  }

  /// What one customer has settled of the holds of one month.
  struct Month: Sendable {
    var prompt = 0
    var completion = 0
  }

  let prompt: [Step]
  let completion: [Step]
  /// The same as an operator would post it.
  let document: String

  func total(_ month: Month) -> Int128 { Self.sum(self.prompt, month.prompt) + Self.sum(self.completion, month.completion) }

  /// The difference that a request makes.
  func charge(prompt: Int, completion: Int, after month: Month) -> Int128 {
    self.total(Month(prompt: month.prompt + prompt, completion: month.completion + completion)) - self.total(month)
  }

  /// What must be free for one request of these sizes where a month begins: the dearest tokens ahead, and one step's flat amount.
  func most(prompt: Int, completion: Int) -> Int128 {
    func dearest(_ steps: [Step]) -> Int128 { steps.map(\.nano).max() ?? 0 }
    let flat = (self.prompt.map(\.flat).max() ?? 0) + (self.completion.map(\.flat).max() ?? 0)
    return dearest(self.prompt) * Int128(prompt) + dearest(self.completion) * Int128(completion) + flat
  }

  private static func sum(_ steps: [Step], _ tokens: Int) -> Int128 {
    var sum: Int128 = 0
    for (place, step) in steps.enumerated() where tokens > step.from {
      let end = place + 1 < steps.count ? min(tokens, steps[place + 1].from) : tokens
      sum += step.flat + step.nano * Int128(end - step.from)
    }
    return sum
  }

  static let plain = AuditedTariff(
    prompt: [Step(from: 0, nano: 3)], completion: [Step(from: 0, nano: 2)],
    document: """
      {"model":"m","currency":"USD","effective_from":"2026-01-01",
       "components":[{"category":"prompt_uncached","per_million":"0.003"},{"category":"completion","per_million":"0.002"}]}
      """)

  /// Prompts get cheaper and answers first dearer, so that the order of settlements decides what each of them costs.
  static let tiered = AuditedTariff(
    prompt: [Step(from: 0, nano: 3), Step(from: 12, nano: 1)],
    completion: [Step(from: 0, nano: 1), Step(from: 10, nano: 4, flat: 5), Step(from: 40, nano: 2)],
    document: """
      {"model":"m","currency":"USD","effective_from":"2026-01-01","components":[
        {"category":"prompt_uncached","tier_mode":"graduated","tiers":[{"up_to":12,"per_million":"0.003"},{"per_million":"0.001"}]},
        {"category":"completion","tier_mode":"graduated","tiers":[{"up_to":10,"per_million":"0.001"},
          {"up_to":40,"per_million":"0.004","flat":"0.000000005"},{"per_million":"0.002"}]}]}
      """)
}

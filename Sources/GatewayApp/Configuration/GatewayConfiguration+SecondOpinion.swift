internal import Documents
public import GovernanceTypes

extension GatewayConfiguration {
  /// A guard model that is asked about what rules and classifier leave open.
  public struct GuardModel: Sendable {
    /// One of the models of the configuration.
    public var model: ModelID
    /// Path of its categories; `shipped` for those that come with the program.
    public var categories: String
    /// What an unsafe answer leads to: enforce, annotate or shadow.
    public var mode: String
    public var timeoutSeconds: Int
    public var samplePerMillion: Int

    var json: JSON {
      [
        "model": .string(self.model.name), "categories": .string(self.categories), "mode": .string(self.mode),
        "timeout_seconds": .integer(self.timeoutSeconds), "sample_per_million": .integer(self.samplePerMillion),
      ]
    }
  }

  /// `policies.second_opinion`: `{model, categories, mode, timeout_seconds, sample_per_million}`.
  static func guardModel(
    _ policies: inout DocumentReader, models: [Model], resolve: (String) -> String
  ) throws(DocumentError) -> GuardModel? {
    guard var section = try policies.optionalReader("second_opinion") else { return nil }
    let model = ModelID(try section.string("model"))
    guard models.contains(where: { $0.id == model }) else {
      let near = nearestName(to: model.name, among: models.map(\.id.name)).map { "; did you mean '\($0)'?" } ?? ""
      throw section.failure("model", "'\(model)' is none of the models above\(near)")
    }
    let categories = try section.optionalString("categories") ?? "shipped"
    let mode = try section.optionalString("mode") ?? "enforce"
    guard ["enforce", "annotate", "shadow"].contains(mode) else {
      throw section.failure("mode", "'\(mode)' is none of: enforce, annotate, shadow")
    }
    let found = GuardModel(
      model: model, categories: categories == "shipped" ? categories : resolve(categories), mode: mode,
      timeoutSeconds: try section.optionalInteger("timeout_seconds", in: 1...600) ?? 20,
      samplePerMillion: try section.optionalInteger("sample_per_million", in: 0...1_000_000) ?? 0)
    try section.finish()
    return found
  }
}

import Documents
import Foundation
import GovernanceTypes
import YAMLDocuments

@testable import AcceptableUse

/// The page that says of every leaf item of the policy what looks for it, what record decides it, how well, and what follows by default.
///
/// Made from the term file, the packs, the weights and the figures of `make eval-aup`; a test keeps the page current.
struct CoverageTable {
  struct Item {
    var id: String
    var text: String
    /// What the term file names: rules and classifier, a declared purpose, an attestation, a report.
    var seen: [String]
    var clearedBy: String?
    var isCritical: Bool
  }

  let items: [Item]
  let packs: [RulePack]
  let heads: Set<String>
  let figures: Document

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    .standardizedFileURL

  init() throws {
    let terms = try Document.parseYAML(try Self.text("Licenses/llama-2/terms.yaml"))
    guard case .list(let uses)? = terms["uses"]?.content else { throw AcceptableUseError(message: "the term file lists no uses") }
    self.items = uses.filter { $0["parent"] == nil }.map { use in
      Item(
        id: use["id"].flatMap(Self.string) ?? "", text: use["text"].flatMap(Self.string) ?? "",
        seen: use["seen"].map(Self.strings) ?? [], clearedBy: use["cleared_by"].flatMap(Self.string),
        isCritical: use["severity"].flatMap(Self.string) == "critical")
    }
    self.packs = try shippedPolicy().packs
    self.heads = Set(try ShippedClassifier.shared.get().heads.compactMap { $0.use?.name })
    self.figures = try Document.parseJSON(
      Array(try Data(contentsOf: Self.root.appendingPathComponent("Policies/classifier/figures.json"))))
  }

  static func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
  }

  private static func string(_ document: Document) -> String? {
    switch JSON(document) {
    case .string(let text): text
    case .number(let digits): digits
    case .integer(let value): String(value)
    default: nil
    }
  }

  private static func strings(_ document: Document) -> [String] {
    guard case .list(let elements) = document.content else { return [] }
    return elements.compactMap(Self.string)
  }

  /// The page, whole.
  func page() -> String {
    var lines = [
      "# Acceptable use: what looks for what", "",
      "Every leaf item of the Llama 2 policy with its detectors, the record that a customer must give where only their situation decides, what was measured, and what follows by",
      "default. Made by `make table-aup` from the term file, the rule packs, the weights and the figures of `make eval-aup`; a test keeps it current. An item is in our own words.",
      "",
      "Rules are counted by what they do: enforce / annotate / shadow, over all languages. Quality is that of rules and classifier together on texts of the tuning set, whose sources training did not see,",
      "against harmless chat: average precision, and recall at 5 % false positives; a dash where the set has no text of the item. The [model card](../Policies/classifier/README.md) has the rest.",
      "",
      "| item | what it forbids | rules | classifier | record | AP | recall | default |",
      "|---|---|---|---|---|---|---|---|",
    ]
    for item in self.items { lines.append(self.row(item)) }
    lines += ["", self.summary, ""]
    return lines.joined(separator: "\n")
  }

  private func row(_ item: Item) -> String {
    let use = ProhibitedUseID(item.id)
    let rules = self.packs.flatMap(\.rules).filter { $0.uses.contains(use) }
    let counts = [RuleMode.enforce, .annotate, .shadow].map { mode in rules.count { $0.mode == mode } }
    let languages = self.packs.filter { $0.uses.contains(use) }.map { $0.id.hasSuffix("-aup") ? "en" : String($0.id.suffix(2)) }
    let rulesText =
      rules.isEmpty ? "–" : "\(counts.map(String.init).joined(separator: " / ")) (\(languages.joined(separator: ", ")))"
    let figure = self.figures["items"]?[item.id]
    let classifier = self.heads.contains(item.id) ? "yes" : "no"
    let cells = [
      item.id + (item.isCritical ? " (critical)" : ""), item.text, rulesText, classifier, self.record(item),
      figure?["ap"].flatMap(Self.string) ?? "–", figure?["recall"].flatMap(Self.string) ?? "–", self.mode(item, counts),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  private func record(_ item: Item) -> String {
    var records: [String] = []
    if item.seen.contains("purpose") { records.append("`party.purposes`") }
    if let fact = item.clearedBy { records.append("`\(fact)`") }
    if item.id == "3e" { records.append("`party.labels_output_as_ai`") }
    if item.id == "4" { records.append("`party.discloses_dangers`") }
    if item.seen.contains("report") || item.seen.contains("duty") { records.append("reports") }
    return records.isEmpty ? "–" : records.joined(separator: ", ")
  }

  private func mode(_ item: Item, _ counts: [Int]) -> String {
    if counts[0] > 0 { return "enforce" }
    if counts[1] > 0 || self.heads.contains(item.id) { return "annotate" }
    return counts[2] > 0 ? "shadow" : "record"
  }

  private var summary: String {
    let value = { (key: String) in self.figures[key].flatMap(Self.string) ?? "–" }
    return
      "By default \(value("chat_refused")) of the harmless chat of the tuning set is refused and \(value("chat_annotated")) annotated; of 600 harmless look-alikes of our own, \(value("look_alikes_refused")) and \(value("look_alikes_annotated"))."
  }
}

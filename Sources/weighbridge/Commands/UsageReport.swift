internal import ArgumentParser
internal import Documents
internal import GatewayApp

struct Usage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Usage reports, exports and corrections.",
    subcommands: [Report.self, Explain.self, Export.self, Capture.self, Adjust.self, Adjustments.self])

  struct Report: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String?
    @Option(help: "The first instant; a date or RFC 3339.") var from: String?
    @Option(help: "The instant after the last.") var to: String?
    @Option(help: "customer, project, key, model, day, month; divided by commas.") var groupBy = "customer,model,day"
    @Flag(inversion: .prefixedNo, help: "Small plots of each group over days or months, below the table.") var plot = true

    func run() async throws {
      let query = [("customer", self.customer), ("from", self.from), ("to", self.to), ("group_by", self.groupBy)]
        .compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: "&")
      let columns =
        self.groupBy.split(separator: ",").map { String($0) }
        + ["requests", "prompt_tokens", "cached_tokens", "completion_tokens", "amount", "currency"]
      guard self.plot else { return try await self.gateway.perform("GET", "/admin/v1/usage?\(query)", columns: columns) }
      let answer = try await self.gateway.client.json("GET", "/admin/v1/usage?\(query)")
      if self.gateway.json { return Terminal.say(answer.text) }
      guard case .array(let rows)? = answer["data"] else { return Terminal.say(answer.text) }
      Terminal.say(Terminal.columns(columns, rows))
      let days = UsagePlot(rows, over: ["day", "month"].first { columns.contains($0) })
      if !days.isEmpty { Terminal.say("\n" + days.text) }
    }
  }

  struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says why a request is charged what it is charged: its price, its units in the month, and the rules.",
      discussion:
        "A customer sets WEIGHBRIDGE_API_KEY to one of its keys and asks about its own; an auditor sets WEIGHBRIDGE_ADMIN_KEY.")
    @OptionGroup var gateway: GatewayOptions
    @Argument(help: "The usage id (usg_…) of an answer, from its header x-weighbridge-usage.") var usage: UsageName

    func run() async throws {
      let answer = try await self.gateway.readingClient.json("GET", "/v1/usage/charges/\(self.usage.text)")
      guard !self.gateway.json, case .array(let sentences)? = answer["why"] else { return Terminal.say(answer.text) }
      let amount = answer["amount_now"] ?? answer["amount"] ?? answer["held"]
      let words = [answer["status"], amount, answer["currency"]].map { Terminal.cell($0 ?? .null) }
      Terminal.say("\(self.usage.text): \(words.joined(separator: " "))")
      for sentence in sentences { Terminal.say("  \(Terminal.cell(sentence))") }
    }
  }

  struct Export: AsyncParsableCommand {
    @OptionGroup var gateway: GatewayOptions
    @Option(help: "csv, jsonl, focus.") var format = "csv"
    @Option var from: String?
    @Option var to: String?
    @Option(name: .shortAndLong, help: "The file to write.") var output: String

    func run() async throws {
      try await self.gateway.export(kind: "usage", format: self.format, from: self.from, to: self.to, output: self.output)
    }
  }

  struct Capture: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "A month's tokens as engines produced them, as they were settled and as they were invoiced, with every difference.")
    @OptionGroup var gateway: GatewayOptions
    @Option(help: "A month, such as 2026-11.") var month: String

    func run() async throws {
      let report = try await self.gateway.client.json("GET", "/admin/v1/billing/capture-rate?month=\(self.month)")
      if self.gateway.json { return Terminal.say(report.text) }
      func table(_ title: String, _ key: String, _ columns: [String]) {
        guard case .array(let rows)? = report[key], !rows.isEmpty else { return }
        Terminal.say("\(title)\n" + Terminal.columns(columns, rows) + "\n")
      }
      table(
        "Tokens of \(self.month)", "data",
        ["model", "category", "counted_by", "produced", "settled", "undelivered", "invoiced"])
      table("Differences", "differences", ["model", "category", "cause", "tokens"])
      table("Customers without an invoice", "uninvoiced", ["customer", "currency", "requests", "tokens"])
      table("Money", "money", ["currency", "settled", "operator_loss", "corrected", "invoiced", "credited"])
      let rate = report["captured_millionths"]?.text ?? "null"
      Terminal.say(rate == "null" ? "Nothing was to be charged." : "\(rate) millionths of what is to be charged are invoiced.")
    }
  }

  struct Adjust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Corrects what a settled request was charged.")
    @OptionGroup var gateway: GatewayOptions
    @Option(help: "The id of the request's usage record.") var usage: String
    @Option(help: "More where positive, less where negative, such as --amount=-0.05.") var amount: String
    @Option var reason: String
    @Option(help: "Your own name for it: the same one is not made twice.") var reference: String?

    func run() async throws {
      var body = [
        JSONMember("usage", .string(self.usage)), JSONMember("amount", .string(self.amount)),
        JSONMember("reason", .string(self.reason)),
      ]
      if let reference { body.append(JSONMember("reference", .string(reference))) }
      try await self.gateway.perform(
        "POST", "/admin/v1/adjustments", .object(body), columns: ["id", "usage", "amount", "currency"])
    }
  }

  struct Adjustments: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists corrections.")
    @OptionGroup var gateway: GatewayOptions
    @Option var customer: String?
    @Option var usage: String?

    func run() async throws {
      let query = [("customer", self.customer), ("usage", self.usage)]
        .compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: "&")
      try await self.gateway.perform(
        "GET", "/admin/v1/adjustments?\(query)", columns: ["id", "usage", "amount", "currency", "reason", "actor", "adjusted_at"])
    }
  }
}

/// The id of a usage, as a command is given it: it becomes part of a path.
struct UsageName: ExpressibleByArgument {
  let text: String

  init?(argument: String) {
    guard argument.hasPrefix("usg_"),
      argument.utf8.allSatisfy({ $0 == UInt8(ascii: "_") || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) })
    else { return nil }
    self.text = argument
  }
}

/// Tokens and money of each group over time, one line each, in eight heights.
struct UsagePlot {
  private struct Line {
    var name: String
    var values: [String: (tokens: Int, nano: Int128)] = [:]
  }

  private var lines: [Line] = []
  private var times: [String] = []

  /// More points than a terminal is wide are put together.
  private static let widest = 60
  private static let heights = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// - Parameter time: the column that time runs along; nil plots nothing.
  init(_ rows: [JSON], over time: String?) {
    guard let time else { return }
    for row in rows {
      guard case .string(let at)? = row[time], case .string(let currency)? = row["currency"] else { continue }
      let names = ["customer", "project", "key", "model"].compactMap { Self.text(row[$0]) } + [currency]
      let name = names.joined(separator: " ")
      if !self.times.contains(at) { self.times.append(at) }
      let place = self.lines.firstIndex { $0.name == name } ?? self.lines.endIndex
      if place == self.lines.endIndex { self.lines.append(Line(name: name)) }
      let tokens = Self.number(row["prompt_tokens"]) + Self.number(row["completion_tokens"])
      var value = self.lines[place].values[at] ?? (0, 0)
      value.tokens += tokens
      value.nano += Self.nano(row["amount"])
      self.lines[place].values[at] = value
    }
    self.times.sort()
  }

  /// Nothing that runs over time: one point is no line.
  var isEmpty: Bool { self.times.count < 2 }

  var text: String {
    let width = self.lines.map(\.name.count).max() ?? 0
    let span = "\(self.times.first ?? "") to \(self.times.last ?? "")"
    return "tokens and amount, \(span)\n"
      + self.lines.map { line in
        let points = self.times.map { line.values[$0] ?? (0, 0) }
        return line.name.padded(to: width) + "  " + Self.bars(points.map { Int128($0.tokens) }) + "  "
          + Self.bars(points.map(\.nano))
      }.joined(separator: "\n")
  }

  private static func bars(_ values: [Int128]) -> String {
    let size = (values.count - 1) / self.widest + 1
    let sums = stride(from: 0, to: values.count, by: size).map { start in
      values[start..<min(start + size, values.count)].reduce(0, +)
    }
    let most = sums.max() ?? 0
    guard most > 0 else { return String(repeating: " ", count: sums.count) }
    return sums.map { value in
      value <= 0 ? " " : self.heights[Int((value * Int128(self.heights.count) - 1) / most)]
    }.joined()
  }

  private static func text(_ value: JSON?) -> String? { if case .string(let text)? = value { text } else { nil } }

  private static func number(_ value: JSON?) -> Int {
    switch value {
    case .integer(let number): number
    case .number(let digits): Int(digits) ?? 0
    default: 0
    }
  }

  /// A decimal of at most nine places in billionths.
  private static func nano(_ value: JSON?) -> Int128 {
    guard case .string(let text)? = value else { return 0 }
    let parts = text.split(separator: ".", maxSplits: 1).map { String($0) }
    let fraction = parts.count == 2 ? parts[1] : ""
    let digits = (parts.first ?? "0") + fraction + String(repeating: "0", count: max(0, 9 - fraction.count))
    return Int128(digits) ?? 0
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - self.count)) }
}

internal import Foundation
internal import Testing

extension EndToEnd {
  /// A month of real requests, and what becomes of it when it is over.
  @Suite("end of a month") struct MonthEndTests {
    private struct Scene {
      let gateway: Gateway
      let clock: ShiftedClock
      let customer: Customer
      /// Nobody has said where its invoices go.
      let unknown: Customer

      var month: String { self.date("yyyy-MM") }

      func date(_ format: String) -> String {
        let writer = DateFormatter()
        (writer.locale, writer.timeZone) = (Locale(identifier: "en_US_POSIX"), TimeZone(identifier: "UTC"))
        writer.dateFormat = format
        return writer.string(from: Date(timeIntervalSince1970: Double(self.clock.now)))
      }

      /// Puts the clock to the first day of the next month.
      func passMonth() throws {
        let month = self.month
        while self.month == month { try self.clock.advance(past: 86_400, seconds: 90) }
      }

      func capture(_ month: String) async throws -> JSONValue {
        try await self.gateway.admin("GET", "/billing/capture-rate?month=\(month)")
      }

      /// What the log has of the month: settled and undelivered tokens of answers, and of prompts.
      func logged(_ name: String) async throws -> (prompt: Int, completion: Int, undelivered: Int, loss: Int) {
        let entries = try LogEntries(bundle: try await self.gateway.exportBundle(named: name)).ofType("settle", "void")
        func sum(_ key: String) -> Int { entries.reduce(0) { $0 + ($1[key].integer ?? 0) } }
        return (sum("prompt_uncached") + sum("prompt_cached"), sum("completion"), sum("undelivered"), sum("loss_nano"))
      }
    }

    private func within(_ body: (Scene) async throws -> Void) async throws {
      try await Workplace.within { workplace in
        let clock = try await ShiftedClock(in: workplace)
        let gateway = try Gateway(in: workplace, more: BillingTests.configuration, environment: clock.environment)
        do {
          // Not across midnight: a test of one month is in one month.
          if clock.now % 86_400 > 86_000 { try clock.advance(past: 86_400, seconds: 90) }
          try await gateway.start()
          let customer = try await gateway.open()
          try await gateway.admin("PUT", "/customers/\(customer.id)/billing", "{\(BillingTests.party)}")
          try await body(
            Scene(gateway: gateway, clock: clock, customer: customer, unknown: try await gateway.onboard("Unknown")))
        } catch {
          await gateway.end()
          throw error
        }
        await gateway.end()
      }
    }

    private func row(_ report: JSONValue, _ category: String) throws -> JSONValue {
      try #require(report["data"].elements.first { $0["category"].string == category && $0["model"].string == "demo" })
    }

    @Test(
      "capture rate: what engines produced, what was settled and what was invoiced, through left streams, a crash and a month's end"
    )
    func captureRate() async throws {
      try await self.within { scene in
        let month = scene.month
        try await self.use(scene)
        let before = try await scene.capture(month)
        let logged = try await scene.logged("before")
        let completion = try self.row(before, "completion")
        #expect(completion["counted_by"].string == "engine" && completion["unsettled"].integer == 0)
        #expect(completion["settled"].integer == logged.completion && completion["undelivered"].integer == logged.undelivered)
        #expect(completion["produced"].integer == logged.completion + logged.undelivered && logged.completion > 0)
        // The demonstration price has no rate for cached prompts: they are charged as the others are.
        let prompt = try self.row(before, "prompt_uncached")
        #expect(prompt["settled"].integer == logged.prompt && prompt["unsettled"].integer == 0)
        #expect(before["uninvoiced_customers"].integer == 2 && before["captured_millionths"].integer == 0)

        try await self.crash(scene)
        let after = try await scene.logged("after")
        let recovered = try self.row(try await scene.capture(month), "completion")
        #expect(recovered["settled"].integer == after.completion && recovered["undelivered"].integer == after.undelivered)
        let produced = try #require(recovered["produced"].integer)
        #expect(recovered["unsettled"].integer == produced - after.completion - after.undelivered)
        #expect(after.completion > logged.completion && after.loss > 0)

        try scene.passMonth()
        try await self.finalise(scene, month, after)
      }
    }

    private func use(_ scene: Scene) async throws {
      for customer in [scene.customer, scene.customer, scene.unknown] {
        _ = try await scene.gateway.ask(Chat(maxTokens: 11), key: customer.key)
      }
      let left = try (0..<3).map { _ in
        try scene.gateway.call(try Chat(prompt: Prompt.story, maxTokens: 120, isStreamed: true).request(key: scene.customer.key))
      }
      try await Exchange.drive(left, within: .seconds(30), "streams are in the middle") {
        left.allSatisfy { $0.body.count > 2000 }
      }
      for call in left { call.close() }
      _ = try await Exchange.await("what was left is settled") {
        try await scene.gateway.metrics().sum("weighbridge_holds") == 0 ? true : nil
      }
    }

    private func crash(_ scene: Scene) async throws {
      let streams = try (0..<4).map { _ in
        try scene.gateway.call(try Chat(prompt: Prompt.essay, maxTokens: 150, isStreamed: true).request(key: scene.customer.key))
      }
      try await Exchange.drive(streams, within: .seconds(30), "streams are in the middle") {
        streams.allSatisfy { $0.body.count > 4000 }
      }
      scene.gateway.crash()
      await scene.gateway.end()
      try await scene.gateway.start()
    }

    private func finalise(
      _ scene: Scene, _ month: String, _ logged: (prompt: Int, completion: Int, undelivered: Int, loss: Int)
    ) async throws {
      let gateway = scene.gateway
      let run = try await gateway.admin("POST", "/invoices/runs", #"{"period":"\#(month)"}"#)
      let id = try #require(run["data"].elements.compactMap { $0["id"].string }.first)
      #expect(run["data"].elements.count { $0["error"].string != nil } == 1, "one has no address")
      let report = try await scene.capture(month)
      let open = try await gateway.total(customer: scene.unknown.id)
      let tokens = try #require(open["prompt_tokens"].integer) + (try #require(open["completion_tokens"].integer))
      #expect(report["uninvoiced_customers"].integer == 1)
      #expect(
        report["uninvoiced"][0]["customer"].string == scene.unknown.id && report["uninvoiced"][0]["tokens"].integer == tokens)
      let completion = try self.row(report, "completion")
      #expect(completion["uninvoiced"].integer == open["completion_tokens"].integer)
      let causes = report["differences"].elements.filter { $0["cause"].string == "uninvoiced" }
      #expect(causes.compactMap { $0["tokens"].integer }.reduce(0, +) == tokens)

      // Money: a correction in the running month, a credit note, and the operator's loss of the crash.
      let total = try await gateway.total(customer: scene.customer.id)
      try await gateway.admin(
        "POST", "/invoices/\(id)/credit_notes", #"{"reason":"goodwill","lines":[{"line":1,"amount":"0.000001"}]}"#)
      try await gateway.admin("PUT", "/customers/\(scene.unknown.id)/billing", "{\(BillingTests.party)}")
      try await gateway.admin("POST", "/invoices/runs", #"{"period":"\#(month)"}"#)
      let last = try await scene.capture(month)
      #expect(
        last["uninvoiced_customers"].integer == 0
          && last["differences"].elements.allSatisfy { $0["cause"].string != "uninvoiced" })
      #expect(try self.row(last, "completion")["invoiced"].integer == logged.completion)
      let money = last["money"][0]
      let settled = try #require(total["amount"].nano) + (try #require(open["amount"].nano))
      #expect(money["settled"].nano == settled && money["invoiced"].nano == settled)
      #expect(money["operator_loss"].nano == logged.loss && money["credited"].nano == 1000)
      _ = try await Exchange.await("the month is in the metrics") {
        let metrics = try await gateway.metrics()
        let invoiced = metrics.sum("weighbridge_capture_tokens", ["stage": "invoiced", "category": "completion", "month": month])
        return Int(invoiced) == logged.completion ? true : nil
      }
      let shown = try await weighbridge(
        "usage", "capture", "--month", month, in: gateway.workplace,
        environment: ["WEIGHBRIDGE_ADMIN_KEY": gateway.adminKey, "WEIGHBRIDGE_URL": gateway.url])
      #expect(shown.status == 0 && shown.output.contains("undelivered"), "\(shown.said)")
      // A process that is killed takes with it what its engine counted within the last second: there may be no share to speak of.
      #expect(shown.output.contains("millionths") == (last["captured_millionths"].integer != nil), "\(shown.said)")
      for query in ["", "?month=2026", "?month=2026-13"] {
        let reply = try await gateway.send(
          HTTPRequest(path: "/admin/v1/billing/capture-rate\(query)", key: gateway.adminKey))
        #expect(reply.status == 400)
      }
    }

    /// Sums of `BilledCost` by `InvoiceId`, in nano-units, and the names of the columns, by the csv module of Python.
    private static let sums = """
      import csv, decimal, json, sys
      table = csv.DictReader(open(sys.argv[1], newline=""))
      sums = {}
      for row in table:
          sums[row["InvoiceId"]] = sums.get(row["InvoiceId"], 0) + int(decimal.Decimal(row["BilledCost"]) * 10**9)
      print(json.dumps({"sums": sums, "columns": table.fieldnames}))

      """

    @Test("FOCUS of a month that was invoiced: each invoice's rows sum to it, tax included, and the metadata names the columns")
    func focus() async throws {
      try await self.within { scene in
        let (gateway, month) = (scene.gateway, scene.month)
        for most in [5, 17, 29] { _ = try await gateway.ask(Chat(maxTokens: most), key: scene.customer.key) }
        _ = try await gateway.ask(Chat(maxTokens: 6), key: scene.unknown.key)
        try scene.passMonth()
        let made = try await gateway.admin("POST", "/invoices/runs", #"{"period":"\#(month)"}"#)
        let invoice = try #require(made["data"].elements.first { $0["number"].string != nil })
        let span = [("--from", "\(month)-01"), ("--to", scene.date("yyyy-MM-01"))]
        let table = gateway.workplace.file("focus.csv")
        let environment = ["WEIGHBRIDGE_ADMIN_KEY": gateway.adminKey, "WEIGHBRIDGE_URL": gateway.url]
        let exported = try await weighbridge(
          "usage", "export", "--format", "focus", span[0].0, span[0].1, span[1].0, span[1].1, "--output", table,
          in: gateway.workplace, environment: environment)
        #expect(exported.status == 0, "\(exported.said)")
        let script = try gateway.workplace.write(Self.sums, to: "sums.py")
        let summed = try await run("/usr/bin/env", ["python3", script, table], in: gateway.workplace)
        let sums = try JSONValue(summed.output)
        #expect(sums["sums"][try #require(invoice["number"].string)].integer == invoice["gross"].nano)
        #expect(sums["sums"][""].integer == (try await gateway.total(customer: scene.unknown.id)["amount"].nano))
        let metadata = try JSONValue(try readText(table + ".metadata.json"))
        let schema = metadata["Schema"][0]
        #expect(schema["FocusVersion"].string == "1.2" && schema["SchemaId"].string != nil)
        let names = schema["ColumnDefinition"].elements.compactMap { $0["ColumnName"].string }
        #expect(names == sums["columns"].elements.compactMap(\.string) && names.count >= 57)
        // Only a table in FOCUS has metadata.
        let other = try await gateway.admin("POST", "/exports", #"{"kind":"usage","format":"csv"}"#)
        let reply = try await gateway.send(
          HTTPRequest(path: "/admin/v1/exports/\(try #require(other["id"].string))/metadata", key: gateway.adminKey))
        #expect(reply.status == 409)
      }
    }
  }
}

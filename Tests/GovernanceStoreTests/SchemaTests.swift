import AuditTrail
import GRDB
import Governance
import GovernanceTypes
import Testing

@testable import GovernanceStore

@Suite("Schema") struct SchemaTests {
  private func objects(_ database: Database) throws -> [String] {
    try String.fetchAll(database, sql: "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master ORDER BY 1")
  }

  @Test("all migrations in one run make the same schema as one at a time, with rows in between")
  func stepwise() throws {
    let fresh = try DatabaseQueue()
    try Schema.migrator.migrate(fresh)
    let stepwise = try DatabaseQueue()
    for name in Schema.migrator.migrations {
      try Schema.migrator.migrate(stepwise, upTo: name)
      try stepwise.write { try $0.execute(sql: "INSERT INTO meta (name, value) VALUES (?, 1)", arguments: [name]) }
    }
    #expect(try fresh.read(self.objects) == stepwise.read(self.objects))
    #expect(try stepwise.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM meta") } == Schema.migrator.migrations.count)
    #expect(Schema.migrator.migrations.count >= 4)
  }

  @Test("every table is STRICT")
  func strict() throws {
    let database = try DatabaseQueue()
    try Schema.migrator.migrate(database)
    let loose = try database.read {
      try String.fetchAll(
        $0, sql: "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'")
    }
    #expect(loose == ["grdb_migrations"])
  }

  @Test(
    "history cannot be changed by SQL",
    arguments: [
      "UPDATE entry SET line = 'x'", "DELETE FROM entry", "UPDATE entry_lookup SET seq = 0", "DELETE FROM entry_lookup",
      "UPDATE usage SET amount = 0", "DELETE FROM usage", "UPDATE checkpoint SET note = ''", "DELETE FROM checkpoint",
      "UPDATE secret SET value = x'00'", "INSERT INTO entry VALUES (7, 'admin', 1, zeroblob(32), '{}')",
      "INSERT INTO entry_lookup VALUES ('x', 99)",
      "INSERT INTO hold SELECT id, 'b', decision, customer, project, key, model, price, currency, 1, 1, 1, 1, 0, 0, 0 FROM usage",
      "UPDATE hold SET amount = -1", "UPDATE hold SET tokens = -1", "UPDATE hold SET amount = 'x'",
      "UPDATE hold SET amount = 1.5",
      "INSERT INTO usage SELECT 9, 'u9', decision, customer, project, key, model, price, currency, -1, 0, 0, 0, 0, 0, outcome, "
        + "finish, policy, source, held_at, settled_at, is_prepaid, 0 FROM usage",
      "INSERT INTO usage SELECT 9, id, decision, customer, project, key, model, price, currency, 1, 0, 0, 0, 0, 0, outcome, "
        + "finish, policy, source, held_at, settled_at, is_prepaid, 0 FROM usage",
      "INSERT INTO usage SELECT 9, 'u9', decision, customer, project, key, model, price, currency, 1, 0, 0, 0, 0, 0, 'voided', "
        + "finish, policy, source, held_at, settled_at, is_prepaid, 0 FROM usage",
    ])
  func appendOnly(sql: String) async throws {
    let directory = TemporaryDirectory()
    let store = try directory.open()
    try await store.submit([held(hold(1)), held(hold(2)), settled(settlement(of: hold(1)))]).durable()
    try await store.saveCheckpoint(size: 3, root: store.frontier.root(in: store.tree), note: "n")
    try await store.setSecret([1], named: "key")
    await store.close()
    let connection = try DatabaseQueue(path: directory.path + "/" + SQLiteStore.fileName)
    let error = #expect(throws: DatabaseError.self) { try connection.write { try $0.execute(sql: sql) } }
    #expect(error?.resultCode == .SQLITE_CONSTRAINT)
  }
}

internal import AdminHTTP
internal import AuditSigning
internal import AuditTrail
internal import Billing
internal import Documents
internal import Foundation
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import Logging
internal import Tensors

/// Makes exports one after another, off the request path, as files below the data directory.
actor BackgroundExports: ExportDesk {
  private let gate: Gate
  private let assembly: BundleAssembly
  private let tables: UsageTables
  private let directory: String
  private let log: Logger
  private var states: [ExportID: ExportState] = [:]
  private var running: Task<Void, Never>?
  /// When those that are ready were made.
  private var madeAt: [ExportID: Timestamp] = [:]

  /// Of the columns that are written now; another one when they change.
  private static let focusSchema = "weighbridge-focus-1.2-1"

  init(
    gate: Gate, store: SQLiteStore, signer: LogSigner, keys: KeyMaterial, directory: String, operatorName: String,
    audit: GatewayConfiguration.Audit, log: Logger
  ) {
    self.gate = gate
    self.assembly = BundleAssembly(gate: gate, store: store, signer: signer, keys: keys, operatorName: operatorName, audit: audit)
    self.tables = UsageTables(gate: gate, operatorName: operatorName)
    self.directory = directory
    self.log = log
  }

  func start(_ order: ExportOrder) async throws -> ExportState {
    if let from = order.from, let to = order.to, from >= to {
      throw Refusal(.invalidRequest, "The span ends before it begins.", parameter: "to")
    }
    let id = self.gate.makeExportID()
    let from = order.from ?? Timestamp(nanoseconds: 0)
    try await self.gate.recordExport(id, kind: order.kind.rawValue, from: from, to: order.to ?? wallClock(), by: order.actor)
    self.states[id] = ExportState(id: id, order: order, status: .pending)
    let before = self.running
    self.running = Task {
      await before?.value
      await self.make(id, order)
    }
    return try self.state(of: id)
  }

  func state(of id: ExportID) throws -> ExportState {
    guard let state = self.states[id] else {
      throw Refusal(.notFound, "There is no export \(id). Exports do not outlive the process.")
    }
    return state
  }

  func content(of id: ExportID, by actor: Actor) async throws -> ExportContent {
    let state = try self.state(of: id)
    guard state.status == .ready else {
      throw Refusal(.conflict, "The export \(id) is \(state.status.rawValue).\(state.failure.map { " " + $0 } ?? "")")
    }
    let path = self.path(id)
    guard let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int else {
      throw Refusal(.notFound, "The file of export \(id) is gone.")
    }
    try await self.gate.recordExportTaken(id, by: actor)
    let (type, suffix) =
      switch state.order.format {
      case .bundle: ("application/x-tar", "tar")
      case .csv, .focus: ("text/csv; charset=utf-8", "csv")
      case .jsonl: ("application/jsonl", "jsonl")
      }
    return ExportContent(mediaType: type, fileName: "\(id).\(suffix)", byteCount: size) { offset, count in
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { file.closeFile() }
      try file.seek(toOffset: UInt64(offset))
      return Array(try file.read(upToCount: count) ?? Data())
    }
  }

  func metadata(of id: ExportID) throws -> JSON {
    let state = try self.state(of: id)
    guard state.order.format == .focus else {
      throw Refusal(.conflict, "The export \(id) is no table in FOCUS: it has no metadata.")
    }
    guard state.status == .ready, let made = self.madeAt[id] else {
      throw Refusal(.conflict, "The export \(id) is \(state.status.rawValue).")
    }
    return FocusMetadata.json(schema: Self.focusSchema, version: GatewayApp.version, created: made)
  }

  private func path(_ id: ExportID) -> String { "\(self.directory)/\(id)" }

  private func make(_ id: ExportID, _ order: ExportOrder) async {
    do {
      try FileManager.default.createDirectory(
        atPath: self.directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let work = self.path(id) + ".work"
      switch order.format {
      case .bundle:
        try await self.assembly.write(to: work, from: order.from, to: order.to)
        try TarArchive.write(directory: work, named: id.description, to: self.path(id))
        try FileManager.default.removeItem(atPath: work)
      case .csv, .jsonl, .focus:
        try await self.tables.write(order.format, from: order.from, to: order.to, path: work)
        try FileManager.default.moveItem(atPath: work, toPath: self.path(id))
      }
      self.madeAt[id] = wallClock()
      self.states[id]?.status = .ready
    } catch {
      // What is not there need not go; the failure below is what counts.
      try? FileManager.default.removeItem(atPath: self.path(id) + ".work")
      self.log.error("an export failed", metadata: ["export": "\(id)", "error": "\(error)"])
      self.states[id]?.status = .failed
      self.states[id]?.failure = "\(error)"
    }
    returnFreedMemory()
  }
}

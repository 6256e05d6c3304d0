import Documents
import Glibc
import Governance
import GovernanceTypes
import Synchronization
import Testing

@testable import GovernanceStore

@Suite("Full disk") struct DiskFullTests {
  let directory = TemporaryDirectory()

  private func large(_ number: Int) -> [JournalRecord] {
    [JournalRecord(entry(.admin, [JSONMember("text", .string(String(repeating: "\(number % 10)", count: 4000)))]))]
  }

  @Test("below the least free space nothing is written, and above it everything again")
  func freeSpace() async throws {
    let shared = FreeSpace(free: 1000)
    let store = try SQLiteStore.open(
      directory: self.directory.path, boot: BootID(7), digest: sha256, options: StoreOptions(minimumFreeBytes: 1000)
    ) { _ in shared.free }
    #expect(await failure(store.submit([JournalRecord(entry())])) == nil)
    shared.free = 999
    #expect(await failure(store.submit([JournalRecord(entry())])) == .diskFull)
    #expect(store.statistics.failures == 1)
    #expect(store.statistics.lastFailure?.contains("999 bytes are free") == true)
    shared.free = nil
    #expect(await failure(store.submit([JournalRecord(entry())])) == .failed)
    shared.free = 1000
    #expect(try await store.submit([JournalRecord(entry())]).durable() == 1)
    await store.close()
  }

  @Test("what is submitted once a failure is known is tried, and not failed along with it")
  func afterFailure() async throws {
    let shared = FreeSpace(free: 1000)
    let store = try SQLiteStore.open(
      directory: self.directory.path, boot: BootID(7), digest: sha256, options: StoreOptions(minimumFreeBytes: 1000)
    ) { _ in shared.free }
    for round in 0..<2000 {
      shared.free = 0
      try #require(await failure(store.submit([JournalRecord(entry())])) == .diskFull)
      shared.free = 1000
      let known = store.submit([JournalRecord(entry())])
      try #require(await failure(known) == nil, "in round \(round)")
    }
    #expect(store.statistics.failures == 2000)
    await store.close()
  }

  @Test("a database at its quota refuses, keeps its state, and goes on when the quota is lifted")
  func quota() async throws {
    let store = try self.directory.open(StoreOptions(maximumBytes: 256 << 10))
    var written = 0
    var refusal: JournalError.Code?
    while refusal == nil, written < 1000 {
      refusal = await failure(store.submit(self.large(written)))
      if refusal == nil { written += 1 }
    }
    #expect(refusal == .diskFull)
    #expect((10..<100).contains(written))
    #expect(store.logSize == written)
    #expect(await failure(store.submit(self.large(written))) == .diskFull)
    try await store.setMaximumBytes(nil)
    #expect(try await store.submit(self.large(written)).durable() == written)
    let frontier = store.frontier
    await store.close()
    let again = try self.directory.open()
    #expect(again.frontier == frontier)
    #expect(again.logSize == written + 1)
    await again.close()
  }

  @Test(
    "a file system that is really full refuses, and the store goes on when there is space",
    .enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root"))
  func tmpfs() async throws {
    try #require(SmallFileSystem.mount(at: self.directory.path))
    defer { SmallFileSystem.unmount(self.directory.path) }
    let filler = self.directory.path + "/filler"
    let store = try self.directory.open(StoreOptions(minimumFreeBytes: 0))
    try await store.submit(self.large(0)).durable()
    try fill(filler)
    var written = 1
    var refusal: JournalError.Code?
    while refusal == nil, written < 1000 {
      refusal = await failure(store.submit(self.large(written)))
      if refusal == nil { written += 1 }
    }
    #expect(refusal == .diskFull)
    #expect(await failure(store.submit(self.large(written))) == .diskFull)
    #expect(unlink(filler) == 0)
    #expect(try await store.submit(self.large(written)).durable() == written)
    await store.close()
    let again = try self.directory.open(StoreOptions(minimumFreeBytes: 0))
    #expect(again.logSize == written + 1)
    await again.close()
  }
}

private enum SmallFileSystem {
  static let isAllowed: Bool = {
    let directory = TemporaryDirectory()
    defer { Self.unmount(directory.path) }
    return Self.mount(at: directory.path)
  }()

  static func mount(at path: String) -> Bool {
    mkdir(path, 0o700) == 0 && Glibc.mount("tmpfs", path, "tmpfs", 0, "size=2m") == 0
  }

  static func unmount(_ path: String) { _ = umount2(path, Int32(MNT_DETACH)) }
}

private struct FillError: Error {}

/// Writes a file until nothing more fits.
private func fill(_ path: String) throws {
  let file = open(path, O_WRONLY | O_CREAT, 0o600)
  guard file >= 0 else { throw FillError() }
  let block = [UInt8](repeating: 1, count: 4096)
  while write(file, block, block.count) > 0 {}
  close(file)
}

private final class FreeSpace: Sendable {
  private let value: Mutex<Int?>

  init(free: Int?) { self.value = Mutex(free) }

  var free: Int? {
    get { self.value.withLock { $0 } }
    set { self.value.withLock { $0 = newValue } }
  }
}

import GovernanceTypes
import Testing

@testable import GatewayHTTP

@Suite("Admission under overload")
struct AdmissionDeskTests {
  private func enter(_ desk: AdmissionDesk, _ customer: UInt128) -> AdmissionDesk.Place? {
    // That it is refused is what the tests look at.
    try? desk.enter(CustomerID(customer))
  }

  @Test("one customer may take all that there is, and a place that is given back is free")
  func alone() {
    let desk = AdmissionDesk(limit: 4)
    var places = (0..<4).compactMap { _ in self.enter(desk, 1) }
    #expect(places.count == 4 && self.enter(desk, 1) == nil)
    places.removeLast()
    #expect(self.enter(desk, 1) != nil)
  }

  @Test("a flood of one customer does not shut out others, and the sum stays bounded")
  func fair() {
    let desk = AdmissionDesk(limit: 8)
    let flood = (0..<100).compactMap { _ in self.enter(desk, 1) }
    #expect(flood.count == 8)
    let second = (0..<100).compactMap { _ in self.enter(desk, 2) }
    #expect(second.count == 2, "the reserve is a quarter")
    #expect(self.enter(desk, 3) == nil && desk.requestsInProgress == 10)
    withExtendedLifetime((flood, second)) {}
  }

  @Test("places are given back to the last")
  func drained() {
    let desk = AdmissionDesk(limit: 3)
    for customer in 0..<20 as Range<UInt128> { _ = self.enter(desk, customer) }
    #expect(desk.requestsInProgress == 0)
  }
}

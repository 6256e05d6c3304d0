public import Documents
public import GovernanceTypes

/// The metadata file that goes with a FOCUS table: who made it, in which version, and what its columns are.
public enum FocusMetadata {
  /// - Parameters:
  ///   - schema: an id for this set of columns; another one when they change.
  ///   - version: of the program that wrote the table.
  public static func json(schema: String, version: String, created: Timestamp) -> JSON {
    [
      "DataGenerator": ["DataGenerator": "Weighbridge"],
      "Schema": [
        [
          "SchemaId": .string(schema), "FocusVersion": "1.2", "CreationDate": .string(created.wholeSeconds),
          "DataGeneratorVersion": .string(version), "ColumnDefinition": .array(FocusColumn.allCases.map(self.column)),
        ]
      ],
    ]
  }

  private static func column(_ column: FocusColumn) -> JSON {
    var members = [JSONMember("ColumnName", .string(column.rawValue))]
    switch column {
    case .listCost, .contractedCost: members += self.decimal(scale: 15)
    case .billedCost, .effectiveCost, .pricingCurrencyEffectiveCost, .contractedUnitPrice, .listUnitPrice,
      .pricingCurrencyContractedUnitPrice, .pricingCurrencyListUnitPrice:
      members += self.decimal(scale: 9)
    case .pricingQuantity: members += self.decimal(scale: 6)
    case .consumedQuantity, .commitmentDiscountQuantity: members += self.decimal(scale: 1)
    case .billingPeriodStart, .billingPeriodEnd, .chargePeriodStart, .chargePeriodEnd:
      members.append(JSONMember("DataType", "DATETIME"))
    case .skuPriceDetails, .tags: members.append(JSONMember("DataType", "JSON"))
    default: members += [JSONMember("DataType", "STRING"), JSONMember("StringEncoding", "UTF-8")]
    }
    return .object(members)
  }

  private static func decimal(scale: Int) -> [JSONMember] {
    [
      JSONMember("DataType", "DECIMAL"), JSONMember("NumericPrecision", 38), JSONMember("NumberScale", .integer(scale)),
    ]
  }
}

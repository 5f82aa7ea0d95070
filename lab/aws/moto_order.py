"""Tables of moto whose items are kept in order, so that a call takes as long as what it is about.

Moto sorts all items of a table for every query and every page of a scan, copies each one that it answers, and
asks ten times for each attribute of which type it is: with 100,000 routes a look at one domain takes seconds,
and reading all takes minutes. What is answered is the same.
"""

from bisect import bisect_left, bisect_right, insort
from hashlib import md5

from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb import models, responses
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import RESULT_SIZE_LIMIT, Table

GREATER = {">", "GT"}


class Order:
    """The items of one table by key, and those of its global indexes by theirs."""

    def __init__(self):
        self.keys = []
        self.items = {}
        self.indexes = {}
        self.entries = {}
        self.sizes = {}
        self.segments = {}

    def sync(self, table, hash_key, range_key):
        """Takes over what the table now has at a key."""
        key = (hash_key.cast_value, range_key.cast_value if range_key else "")
        item = table.get_item(hash_key, range_key)
        for entries, entry in self.entries.pop(key, []):
            del entries[bisect_left(entries, entry)]
        if item is None:
            if self.items.pop(key, None) is not None:
                del self.keys[bisect_left(self.keys, key)]
            return
        if key not in self.items:
            insort(self.keys, key)
            self.segments[key] = md5(str(hash_key.value).encode()).digest()[0]
        self.items[key] = item
        self.sizes[key] = item.size()
        self.entries[key] = [self.enter(index, item, key) for index in indexes_with(table, item)]

    def enter(self, index, item, key):
        hash_name, range_name = names_of(index)
        entries = self.index(index.name, item.attrs[hash_name].cast_value)
        entry = (item.attrs[range_name].cast_value, *key)
        insort(entries, entry)
        return entries, entry

    def index(self, name, hash_value):
        return self.indexes.setdefault((name, hash_value), [])


def names_of(index):
    return [part["AttributeName"] for part in index.schema]


def indexes_with(table, item):
    """Those in which the item stands. An index without a range key is left to moto."""
    return [
        index
        for index in table.global_indexes
        if len(index.schema) == 2 and all(name in item.attrs for name in names_of(index))
    ]


def order_of(table):
    if not hasattr(table, "order"):
        table.order = Order()
    return table.order


def sync_key(table, key):
    """After a write to this key, or one that was taken back."""
    range_name = table.range_key_attr
    range_key = DynamoType(key[range_name]) if range_name else None
    order_of(table).sync(table, DynamoType(key[table.hash_key_attr]), range_key)


def follow_writes():
    put, delete = Table.put_item, Table.delete_item
    update, transact = models.DynamoDBBackend.update_item, models.DynamoDBBackend.transact_write_items

    def put_item(self, item_attrs, *args, **kwargs):
        item = put(self, item_attrs, *args, **kwargs)
        order_of(self).sync(self, item.hash_key, item.range_key)
        return item

    def delete_item(self, hash_key, range_key):
        item = delete(self, hash_key, range_key)
        order_of(self).sync(self, hash_key, range_key)
        return item

    def update_item(self, table_name, key, *args, **kwargs):
        item = update(self, table_name, key, *args, **kwargs)
        sync_key(self.get_table(table_name), key)
        return item

    def transact_write_items(self, transact_items):
        try:
            transact(self, transact_items)
        finally:
            for operation in (one for item in transact_items for one in item.values()):
                table = self.tables.get(operation.get("TableName"))
                if table is not None:
                    sync_key(table, operation.get("Key") or operation["Item"])

    Table.put_item, Table.delete_item = put_item, delete_item
    models.DynamoDBBackend.update_item = update_item
    models.DynamoDBBackend.transact_write_items = transact_write_items


def read_in_order():
    query, scan, all_items = Table.query, Table.scan, Table.all_items

    def query_candidates(self, hash_key, comparison, values, *args, **kwargs):
        index_name = args[4] if len(args) > 4 else kwargs.get("index_name")
        conditions = kwargs.get("hash_key_conditions") or []
        self.candidates = candidates(self, hash_key, index_name, conditions, comparison, values)
        try:
            return query(self, hash_key, comparison, values, *args, **kwargs)
        finally:
            self.candidates = None

    def candidates_or_all(self):
        found = getattr(self, "candidates", None)
        return all_items(self) if found is None else found

    def scan_in_order(self, filters, limit, start, expression=None, index=None, *args, **kwargs):
        if filters or index:
            return scan(self, filters, limit, start, expression, index, *args, **kwargs)
        segments = kwargs.get("segments", (None, None))
        found, scanned, last = page(self, limit, start, segments)
        if expression is not None:
            found = [item for item in found if expression.expr(item)]
        projection = args[1] if len(args) > 1 else kwargs.get("projection_expression")
        if projection:
            found = [item.project(projection) for item in found]
        return found, scanned, last

    Table.query, Table.scan, Table.all_items = query_candidates, scan_in_order, candidates_or_all


def candidates(table, hash_key, index_name, conditions, comparison, values):
    """The items among which a query finds its own; None: moto looks at all."""
    order = order_of(table)
    if not index_name:
        return list(table.items.get(hash_key, {}).values()) if table.range_key_attr else None
    index = table.get_index(index_name)
    if index not in table.global_indexes or len(index.schema) != 2:
        return None
    value = conditions[0][1] if conditions else hash_key
    entries = order.index(index_name, value.cast_value)
    after = comparison in GREATER and values
    first = bisect_right(entries, values[0].cast_value, key=lambda one: one[0]) if after else 0
    return [order.items[entry[1:]] for entry in entries[first:]]


def page(table, limit, start, segments):
    """The next items of a scan, how many they are, and the key to go on from."""
    order = order_of(table)
    keys = order.keys
    segment, total = segments
    first = bisect_right(keys, start_key(table, start)) if start else 0
    found, size = [], 0
    for position in range(first, len(keys)):
        key = keys[position]
        if total is not None and order.segments[key] % total != segment:
            continue
        size += order.sizes[key]
        if found and (len(found) == limit or size > RESULT_SIZE_LIMIT):
            return found, len(found), table._get_last_evaluated_key(found[-1], None)
        found.append(order.items[key])
    return found, len(found), None


def start_key(table, start):
    range_name = table.range_key_attr
    range_value = DynamoType(start[range_name]).cast_value if range_name else ""
    return DynamoType(start[table.hash_key_attr]).cast_value, range_value


PLAIN = {"S", "N"}


def answer_plainly():
    """Items of texts and numbers alone are taken as they are."""
    serialize_map = BaseJSONSerializer._serialize_type_map
    to_dict = responses.dynamo_to_dict

    def serialize(self, serialized, value, shape, key):
        if shape.value.name == "AttributeValue" and all(one.keys() <= PLAIN for one in value.values()):
            self._default_serialize(serialized, value, shape, key)
        else:
            serialize_map(self, serialized, value, shape, key)

    def plain(value):
        if isinstance(value, dict) and isinstance(value.get("Items"), list):
            return {**to_dict({**value, "Items": []}), "Items": [attributes(one) for one in value["Items"]]}
        return to_dict(value)

    def attributes(item):
        if all(one.type in PLAIN for one in item.values()):
            return {name: {one.type: one.value} for name, one in item.items()}
        return to_dict(item)

    BaseJSONSerializer._serialize_type_map = serialize
    responses.dynamo_to_dict = plain


def keep_in_order():
    answer_plainly()
    follow_writes()
    read_in_order()

"""moto's server with DynamoDB's promises about concurrent callers.

Moto answers each request in a thread of its own, and a transaction that fails puts back a copy of the whole
table: what others wrote meanwhile is lost, and each write copies every item. Here one call after another has
its turn, and a transaction copies only the items that it names.
"""

import copy
import functools
import threading
import types

from moto import backends
from moto.dynamodb import models, responses
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.server import main
from moto_order import keep_in_order

turn = threading.RLock()


def one_at_a_time():
    call_action = responses.DynamoHandler.call_action

    def in_turn(self):
        with turn:
            return call_action(self)

    responses.DynamoHandler.call_action = in_turn


def copy_little():
    """A transaction's backup of a table: all items but those that it names are shared with the original."""
    transact = models.DynamoDBBackend.transact_write_items
    named = []

    def transact_write_items(self, transact_items):
        named[:] = [operation for item in transact_items for operation in item.values()]
        return transact(self, transact_items)

    def backup(value):
        if not isinstance(value, models.Table):
            return copy.deepcopy(value)
        clone = copy.copy(value)
        clone.items = copy.copy(value.items)
        for operation in named:
            if operation.get("TableName") != value.name:
                continue
            key = operation.get("Key") or operation["Item"]
            partition = DynamoType(key[value.hash_key_attr])
            if partition in clone.items:
                clone.items[partition] = copy.deepcopy(clone.items[partition])
        return clone

    models.DynamoDBBackend.transact_write_items = transact_write_items
    models.copy = types.SimpleNamespace(copy=copy.copy, deepcopy=backup)


def find_modules_once():
    """Each request had moto look through its folder, while all others waited for that."""
    find = backends.list_of_moto_modules
    backends.list_of_moto_modules = functools.cache(lambda: tuple(find()))


one_at_a_time()
copy_little()
find_modules_once()
keep_in_order()
main()

#!/usr/bin/python3 -Wignore
"""s3_swift.py - OpenStack Swift with its S3 API in one process, on 127.0.0.1, objects in memory.

usage: s3_swift.py FOLDER ACCOUNT:USER SECRET

Prints "port N". The access key is ACCOUNT:USER. Exits when its standard input closes. FOLDER must be empty.
Needs python3-swift.
"""
import os
import sys
import threading

import eventlet
import eventlet.wsgi
eventlet.monkey_patch(thread=False)
from swift.common import utils, wsgi
from swift.common.ring import RingBuilder

folder, user, secret = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3]
servers = {'object': 'mem_object', 'container': 'container', 'account': 'account'}
sockets = {name: eventlet.listen(('127.0.0.1', 0), backlog=1024) for name in ['proxy', *servers]}
ports = {name: socket.getsockname()[1] for name, socket in sockets.items()}
os.makedirs(folder + '/node/d1', exist_ok=True)


def write(name, text):
    with open(os.path.join(folder, name), 'w') as out:
        out.write(text)


def common(name):
    return f'''[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {ports[name]}
swift_dir = {folder}
devices = {folder}/node
mount_check = false
disable_fallocate = true
log_level = WARNING
log_address = /nonexistent
'''


write('swift.conf', '''[swift-hash]
swift_hash_path_suffix = tests
swift_hash_path_prefix = tests
[storage-policy:0]
name = one
default = yes
''')
write('proxy-server.conf', common('proxy') + f'''[pipeline:main]
pipeline = catch_errors cache s3api tempauth slo proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
paste.filter_factory = __main__:cache_factory
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
storage_domain = s3.localhost
[filter:tempauth]
use = egg:swift#tempauth
user_{user.replace(':', '_', 1)} = {secret} .admin
[filter:slo]
use = egg:swift#slo
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
''')
for name, egg in servers.items():
    write(name + '-server.conf', common(name) + f'''[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{egg}
''')
    builder = RingBuilder(3, 1, 0)
    builder.add_dev({'id': 0, 'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': ports[name],
                     'replication_ip': '127.0.0.1', 'replication_port': ports[name],
                     'device': 'd1', 'weight': 1.0, 'meta': ''})
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, name + '.ring.gz'))


class Cache:
    """The cache that tempauth requires. It must be true even when empty."""

    def __init__(self):
        self.values = {}

    def get(self, key, **more):
        return self.values.get(key)

    def set(self, key, value, **more):
        self.values[key] = value

    def delete(self, key, **more):
        self.values.pop(key, None)

    def incr(self, key, delta=1, **more):
        self.values[key] = self.values.get(key, 0) + delta
        return self.values[key]


def cache_factory(settings, **more):
    cache = Cache()

    def wrap(app):
        def call(environ, start_response):
            environ['swift.cache'] = cache
            return app(environ, start_response)
        return call
    return wrap


def end_with_stdin():
    os.read(0, 1)
    os._exit(0)


utils.set_swift_dir(folder)
for name, socket in sockets.items():
    settings, logger, _ = wsgi._initrp(os.path.join(folder, name + '-server.conf'), name + '-server')
    app = wsgi.loadapp(settings['__file__'], global_conf={'log_name': name})
    eventlet.spawn(eventlet.wsgi.server, socket, app, utils.NullLogger(), max_size=1024,
                   protocol=wsgi.SwiftHttpProtocol, capitalize_response_headers=False)
threading.Thread(target=end_with_stdin, daemon=True).start()
print('port', ports['proxy'], flush=True)
eventlet.event.Event().wait()
